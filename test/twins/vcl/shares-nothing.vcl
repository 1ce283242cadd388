# Broken on purpose: every reader goes to the origin by itself, live ones apart.
vcl 4.1;
sub vcl_recv { if (req.method == "GET" && req.url !~ "live=") { return (pass); } }
include "../../../varnish/recommended.vcl";
