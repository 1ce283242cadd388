# Broken on purpose: offset=now is shared by those who ask at the same time.
vcl 4.1;
sub vcl_recv { set req.url = regsub(req.url, "offset=now", "offset=n-o-w"); }
sub vcl_backend_fetch { set bereq.url = regsub(bereq.url, "offset=n-o-w", "offset=now"); }
sub vcl_backend_response {
    if (bereq.url ~ "offset=now" && !bereq.uncacheable) {
        set beresp.ttl = 0.001ms;
        set beresp.grace = 0s;
        set beresp.keep = 10s;
        return (deliver);
    }
}
include "../../../varnish/recommended.vcl";
