# Broken on purpose: readers who write their parameters in another order share nothing.
vcl 4.1;
sub vcl_hash { if (!req.http.X-Edge-Want) { hash_data(req.url); } }
include "../../../varnish/recommended.vcl";
