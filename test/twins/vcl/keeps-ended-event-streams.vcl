# Broken on purpose: an event stream is served after it has ended.
vcl 4.1;
sub vcl_deliver {
    if (resp.http.X-Edge-Live && !resp.is_streaming) { return (deliver); }
}
include "../../../varnish/recommended.vcl";
