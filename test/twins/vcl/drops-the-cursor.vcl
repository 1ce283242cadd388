# Broken on purpose: Stream-Cursor does not reach the client.
vcl 4.1;
sub vcl_deliver { unset resp.http.Stream-Cursor; }
include "../../../varnish/recommended.vcl";
