# Broken on purpose: a 204 is kept, and a cursor makes no other URL of it.
vcl 4.1;
sub vcl_recv { set req.url = regsub(req.url, "([?&])cursor=[^&]*&", "\1"); }
sub vcl_backend_response {
    if (beresp.status == 204 && !bereq.uncacheable) {
        set beresp.ttl = 60s;
        return (deliver);
    }
}
include "../../../varnish/recommended.vcl";
