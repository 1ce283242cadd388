# Broken on purpose: a 404 is kept for a minute.
vcl 4.1;
sub vcl_backend_response {
    if (beresp.status == 404 && !bereq.uncacheable && !bereq.http.X-Edge-Want) {
        set beresp.ttl = 60s;
        return (deliver);
    }
}
include "../../../varnish/recommended.vcl";
