# Broken on purpose: a stream that is itself of an event stream's type is taken for a live response, and kept.
vcl 4.1;
sub vcl_backend_response {
    if (beresp.http.Content-Type ~ "^text/event-stream" && beresp.http.Stream-Next-Offset && !bereq.uncacheable) {
        set beresp.ttl = 55s;
        return (deliver);
    }
}
include "../../../varnish/recommended.vcl";
