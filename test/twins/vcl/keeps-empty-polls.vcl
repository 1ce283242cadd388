# Broken on purpose: a poll without news is kept for a while, and given to whoever asks with another cursor, too.
vcl 4.1;
sub vcl_hash {
    if (req.url ~ "[?&]live=long-poll(?:&|$)" && !req.http.X-Edge-Want) {
        hash_data(regsub(req.url, "[?&]cursor=[^&]*", ""));
        hash_data("poll");
        return (lookup);
    }
}
sub vcl_backend_response {
    if (beresp.status == 204 && bereq.url ~ "[?&]live=long-poll(?:&|$)" && !bereq.uncacheable && !bereq.http.X-Edge-Want) {
        set beresp.ttl = 10s;
        return (deliver);
    }
}
include "../../../varnish/recommended.vcl";
