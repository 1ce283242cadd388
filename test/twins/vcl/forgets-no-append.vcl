# Broken on purpose: an append through the edge is not seen.
vcl 4.1;
sub vcl_deliver { if (req.method == "POST") { return (deliver); } }
include "../../../varnish/recommended.vcl";
