# Broken on purpose: that the origin did not answer is told for five seconds more.
vcl 4.1;
sub vcl_backend_error {
    if (!bereq.http.X-Edge-Want) {
        set beresp.ttl = 5s;
        return (deliver);
    }
}
include "../../../varnish/recommended.vcl";
