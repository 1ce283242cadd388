# Durable Streams behind Varnish 7.1 or later: many readers, one request to the origin.
#
# The idea in four sentences. Every stream path has two small marker objects in the cache, made by
# Varnish itself, each holding a value that is never used twice: its "generation" and its
# "incarnation". A write that passes through here bans the markers before the writer has its
# answer, so the next reader makes new ones. A read first looks the markers up (two restarts, no
# request to the origin), then looks for its answer under URL + marker values. An answer whose fetch
# began before a write is therefore out of reach of every reader that came after it, even when
# the answer arrives after the write: banning the answers themselves would leave that race open,
# because a ban does not touch what enters the cache later.
#
# What varnishd needs. Each line is a parameter; docs/recommended-vcl.md says why.
#
# varnishd -p thread_pools=2
# varnishd -p thread_pool_min=200
# varnishd -p thread_pool_max=6000
# varnishd -p thread_queue_limit=20000
# varnishd -p listen_depth=4096
# varnishd -p timeout_linger=0
# varnishd -p timeout_idle=150
# varnishd -p ban_lurker_age=5
# varnishd -p http_gzip_support=off

vcl 4.1;

import std;

backend origin {
    .host = "127.0.0.1";
    .port = "4437";
}

# ---- Which request is it? ---------------------------------------------------------------------

sub vcl_recv {
    if (req.restarts == 0) {
        call forget_our_headers;
        call name_the_stream;

        # A request target that WHATWG URL parsing and Varnish may split differently cannot be
        # tied to one stream. (cdn-freshness)
        if (req.method == "PRI") {
            return (synth(405));
        }
        call vcl_req_host;
    }

    # A HEAD that misses would be sent on as a GET; everything else here is a write, a preflight
    # or unknown to us. (cdn-headers, cors, conformance)
    if (req.method != "GET") {
        return (pass);
    }

    # Nothing private is shared. (cdn-headers)
    if (req.http.Authorization || req.http.Cookie) {
        return (pass);
    }

    # "now" is another place for each reader. (cdn-freshness)
    if (req.url ~ "[?&]offset=now(?:&|$)") {
        return (pass);
    }

    # Spellings this file would misread (an escaped letter, a parameter given twice) are left to
    # the origin. (cdn-freshness)
    if (req.http.X-Edge-Stream ~ "\."
        || req.url ~ "(?i)\?.*%(?:3[0-9]|[46][1-9a-f]|[57][0-9a]|2[de]|5f|7e)"
        || req.url ~ "[?&](offset|live|cursor)=.*&\1=") {
        return (pass);
    }

    # The origins ignore Range; from a stored answer Varnish would serve 206. (conformance)
    unset req.http.Range;

    # First the markers, then the answer.
    if (!req.http.X-Edge-Incarnation) {
        set req.http.X-Edge-Want = "incarnation";
    } elsif (!req.http.X-Edge-Generation && req.url !~ "[?&]live=sse(?:&|$)") {
        set req.http.X-Edge-Want = "generation";
    } else {
        unset req.http.X-Edge-Want;
    }
    return (hash);
}

sub forget_our_headers {
    unset req.http.X-Edge-Stream;
    unset req.http.X-Edge-Want;
    unset req.http.X-Edge-Generation;
    unset req.http.X-Edge-Incarnation;
}

# One name for every spelling of a path. It may be coarser than the origin's own names (two
# streams with one name only lose each other's cached answers), never finer. Letters, digits and
# escapes beyond ASCII stay, all other characters become "-" however they are spelled. What
# cannot be known here becomes a regular expression ("."), and such reads are passed.
sub name_the_stream {
    set req.http.X-Edge-Stream = regsub(req.url, "\?.*$", "");
    if (req.http.X-Edge-Stream ~ "(?i)^//|[#\\]|/(?:\.|%2e){1,2}(?:/|$)") {
        set req.http.X-Edge-Stream = ".*";
    } else {
        set req.http.X-Edge-Stream =
            regsuball(req.http.X-Edge-Stream, "[^A-Za-z0-9%\x80-\xff]", "-");
        set req.http.X-Edge-Stream =
            regsuball(req.http.X-Edge-Stream, "(?i)%(?:3[0-9]|[46][1-9a-f]|[57][0-9a])", ".");
        set req.http.X-Edge-Stream = regsuball(req.http.X-Edge-Stream, "[\x80-\xff]", "...");
        set req.http.X-Edge-Stream = std.tolower(
            regsuball(req.http.X-Edge-Stream, "%[2-7][0-9A-Fa-f]", "-"));
    }
}

sub vcl_hash {
    if (req.http.X-Edge-Want) {
        hash_data(req.http.X-Edge-Want + req.http.X-Edge-Stream);
        return (lookup);
    }
    if (req.url ~ "\?(?:(?:offset|live|cursor)=[^&]*(?:&|$))+$") {
        hash_data(std.querysort(req.url));
    } else {
        hash_data(req.url);
    }
    hash_data(req.http.Host);
    hash_data(req.http.X-Edge-Incarnation);
    if (req.url ~ "[?&]live=") {
        hash_data(req.http.X-Edge-Generation);
    }
    return (lookup);
}

# ---- To the origin ----------------------------------------------------------------------------

sub vcl_backend_fetch {
    if (bereq.http.X-Edge-Want) {
        return (error(200));
    }
    unset bereq.http.X-Edge-Stream;
    unset bereq.http.X-Edge-Incarnation;
    if (!bereq.uncacheable) {
        unset bereq.http.If-None-Match;
        unset bereq.http.If-Modified-Since;
    } 
    if (bereq.uncacheable || bereq.url ~ "[?&]live=") {
        unset bereq.http.X-Edge-Generation;
    }
    if (bereq.url ~ "[?&]live=") {
        set bereq.first_byte_timeout = 150s;
        set bereq.between_bytes_timeout = 150s;
    }
}

sub vcl_backend_response {
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    if (bereq.uncacheable) {
        return (deliver);
    }

    if (bereq.url ~ "[?&]live=sse(?:&|$)"
        && beresp.status == 200
        && beresp.http.Content-Type ~ "(?i)^text/event-stream"
        && !beresp.http.Stream-Next-Offset
        && !beresp.http.Set-Cookie
        && beresp.http.Vary != "*"
        && beresp.http.Cache-Control !~ "(?i)(?:^|[,\s])(?:private|no-store)") {
        set beresp.http.X-Edge-Live = bereq.xid;
        set beresp.ttl = 60s;
        set beresp.keep = 10s;
        return (deliver);
    }

    if (beresp.http.Set-Cookie
        || beresp.http.Vary ~ "\*"
        || beresp.http.Cache-Control ~ "(?i)(?:^|[,\s])(?:private|no-store|no-cache)"
        || beresp.http.Surrogate-Control ~ "(?i)no-store"
        || (beresp.status == 200 && !beresp.http.Stream-Next-Offset
            && beresp.http.Cache-Control !~ "(?i)max-?age=")) {
        set beresp.uncacheable = true;
        set beresp.ttl = 1s;
        return (deliver);
    }

    call choose_lifetime;
    set beresp.keep = 10s;

    if (bereq.url !~ "[?&]live="
        && (beresp.status != 200 || beresp.http.Cache-Control !~ "(?i)max-?age=" 
            || beresp.http.Stream-Up-To-Date)) {
        if (beresp.http.Vary) {
            set beresp.http.X-Edge-Vary = beresp.http.Vary;
            set beresp.http.Vary = beresp.http.Vary + ", X-Edge-Generation";
        } else {
            set beresp.http.Vary = "X-Edge-Generation";
        }
    }
    return (deliver);
}

sub choose_lifetime {
    # explicit
    if (beresp.status == 200 && beresp.http.Cache-Control ~ "(?i)max-?age=") {
        if (beresp.ttl < 0.001s) {
            set beresp.ttl = 0.001s;
        }
        return;
    }
    if (beresp.status >= 500 || beresp.status == 429
        || (beresp.status == 204 && !beresp.http.Stream-Closed)) {
        set beresp.ttl = 0.001s;
    } elsif (beresp.time - bereq.time < 0.95s) {
        set beresp.ttl = bereq.time + 0.98s - beresp.time;
    } elsif (bereq.url ~ "[?&]live=") {
        set beresp.ttl = 0.9s;
    } else {
        set beresp.ttl = 0.001s;
    }
}

sub vcl_backend_error {
    if (bereq.http.X-Edge-Want) {
        set beresp.http.X-Edge-Marker = bereq.http.X-Edge-Want + bereq.http.X-Edge-Stream;
        set beresp.http.X-Edge-Value = bereq.xid + "." + std.time2real(now, 0.0);
        set beresp.ttl = 10m;
        return (deliver);
    }
    set beresp.ttl = 0.001s;
    set beresp.grace = 0s;
    set beresp.keep = 10s;
    set beresp.http.Content-Type = "text/plain; charset=utf-8";
    set beresp.http.Cache-Control = "no-store";
    set beresp.http.Access-Control-Allow-Origin = "*";
    set beresp.http.Retry-After = "1";
    synthetic("The origin did not answer.");
    return (deliver);
}

# ---- To the client ----------------------------------------------------------------------------

sub vcl_deliver {
    if (req.http.X-Edge-Want == "incarnation") {
        set req.http.X-Edge-Incarnation = resp.http.X-Edge-Value;
        return (restart);
    }
    if (req.http.X-Edge-Want == "generation") {
        set req.http.X-Edge-Generation = resp.http.X-Edge-Value;
        return (restart);
    }
    call forget_after_write;
    if (resp.http.X-Edge-Live && obj.hits > 0 && !resp.is_streaming && req.time > obj.time) {
        ban("obj.http.X-Edge-Live == " + resp.http.X-Edge-Live);
        return (restart);
    }
    if (resp.http.Vary ~ "X-Edge-Generation") {
        if (resp.http.X-Edge-Vary) {
            set resp.http.Vary = resp.http.X-Edge-Vary;
        } else {
            unset resp.http.Vary;
        }
    }
    unset resp.http.X-Edge-Vary;
    unset resp.http.X-Edge-Live;
    if (req.method == "GET" && req.http.X-Edge-Incarnation) {
        unset resp.http.Accept-Ranges;
    }
    return (deliver);
}

sub vcl_synth {
    call forget_after_write;
    set resp.http.Access-Control-Allow-Origin = "*";
}

# Runs after the origin has answered a write and before the writer hears of it.
sub forget_after_write {
    if (req.method != "GET" && req.method != "HEAD" && req.method != "OPTIONS"
        && (resp.status < 400 || resp.status >= 500)) {
        if (req.http.X-Edge-Stream ~ "\.") {
            ban("obj.http.X-Edge-Marker ~ ^(generation|incarnation)" + req.http.X-Edge-Stream + "$");
        } else {
            ban("obj.http.X-Edge-Marker == generation" + req.http.X-Edge-Stream);
            if (req.method != "POST" && (req.method != "PUT" || resp.status != 200)) {
                ban("obj.http.X-Edge-Marker == incarnation" + req.http.X-Edge-Stream);
            }
        }
    }
}
