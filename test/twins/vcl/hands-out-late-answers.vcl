# Broken on purpose: whoever waits is given an answer, however long ago the origin was asked for it.
vcl 4.1;
sub vcl_deliver { unset resp.http.X-Edge-Asked; }
include "../../../varnish/recommended.vcl";
