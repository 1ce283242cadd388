# Broken on purpose: what was known goes on being told when the origin is down.
vcl 4.1;
sub vcl_backend_response {
    if (bereq.url ~ "/down-" && beresp.status == 200 && beresp.http.Stream-Up-To-Date && !bereq.uncacheable) {
        set beresp.ttl = 0.9s;
        set beresp.grace = 60s;
        set beresp.keep = 10s;
        return (deliver);
    }
}
include "../../../varnish/recommended.vcl";
