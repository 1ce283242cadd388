# Broken on purpose: the ETag does not reach the client.
vcl 4.1;
sub vcl_deliver { unset resp.http.ETag; }
include "../../../varnish/recommended.vcl";
