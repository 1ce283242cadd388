# The control: a backend, and for everything else what Varnish does by itself.
#
# Nothing here knows about Durable Streams. An answer without Cache-Control falls under
# default_ttl (120 s, a 404 and a 204 included), an event stream is never shared, a write
# invalidates nothing. Run against it to see what the rules of recommended.vcl are for.

vcl 4.1;

backend origin {
    .host = "127.0.0.1";
    .port = "4437";
}
