# Broken on purpose: everything is passed, and of an origin that is down no page of another origin hears.
vcl 4.1;
backend origin { .host = "127.0.0.1"; .port = "4437"; }
sub vcl_recv { return (pass); }
