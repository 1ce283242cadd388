# Broken on purpose: what is private is given to all who wait for it.
vcl 4.1;
sub vcl_backend_response {
    if (beresp.http.Cache-Control ~ "private" && !bereq.uncacheable) {
        set beresp.ttl = 0.001ms;
        set beresp.grace = 0s;
        set beresp.keep = 10s;
        return (deliver);
    }
}
include "../../../varnish/recommended.vcl";
