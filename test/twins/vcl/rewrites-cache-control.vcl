# Broken on purpose: clients are told to keep what they get.
vcl 4.1;
sub vcl_deliver { set resp.http.Cache-Control = "public, max-age=3600"; }
include "../../../varnish/recommended.vcl";
