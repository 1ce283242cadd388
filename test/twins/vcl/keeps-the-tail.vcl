# Broken on purpose: what is up to date now is kept for four seconds.
vcl 4.1;
sub vcl_backend_response {
    if (beresp.http.Stream-Up-To-Date && beresp.status == 200 && beresp.http.Cache-Control !~ "private" && !bereq.uncacheable) {
        set beresp.ttl = 4s;
        call tie_to_generation;
        return (deliver);
    }
}
include "../../../varnish/recommended.vcl";
