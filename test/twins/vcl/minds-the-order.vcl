# Broken on purpose: the order of the parameters makes another object.
vcl 4.1;
sub vcl_hash { if (!req.http.X-Edge-Want) { hash_data(req.url); } }
include "../../../varnish/recommended.vcl";
