# Broken on purpose: a deletion or creation through the edge is not seen.
vcl 4.1;
sub vcl_deliver { if (req.method == "PUT" || req.method == "DELETE") { return (deliver); } }
include "../../../varnish/recommended.vcl";
