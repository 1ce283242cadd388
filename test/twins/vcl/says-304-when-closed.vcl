# Broken on purpose: who had the open stream is told that nothing has changed when it was closed.
vcl 4.1;
sub vcl_deliver {
    if (req.http.If-None-Match && resp.http.Stream-Closed && resp.status == 200) { set resp.status = 304; }
}
include "../../../varnish/recommended.vcl";
