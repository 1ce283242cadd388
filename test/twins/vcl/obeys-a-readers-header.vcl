# Broken on purpose: a client can write what the cache notes about its own request.
vcl 4.1;
sub vcl_recv { if (req.restarts == 0) { set req.http.X-Given = req.http.X-Edge-Generation; } }
sub vcl_hash { if (req.http.X-Given) { set req.http.X-Edge-Generation = req.http.X-Given; } }
include "../../../varnish/recommended.vcl";
