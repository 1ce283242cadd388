# Broken on purpose: who comes too late for an answer that is on its way is refused, instead of being asked for again.
vcl 4.1;
sub vcl_recv { if (req.restarts > 0 && req.http.X-Edge-Aside) { return (synth(503)); } }
include "../../../varnish/recommended.vcl";
