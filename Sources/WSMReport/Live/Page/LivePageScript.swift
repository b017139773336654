/// The live page's script: it puts what the server says into the elements, as text, and draws the two curves.
///
/// A changed script needs its new hash in ``LivePage/script``: the test of the page says which.
enum LivePageScript {
    static let source: StaticString = #"""

        (function () {
          "use strict";
          var LIMIT = 1200, SVG = "http://www.w3.org/2000/svg", RETRIES = [500, 1000, 2000, 4000];
          var points = [], step = 200, state = null, ended = false, tries = 0, shown = "", drawing = false;
          function at(id) { return document.getElementById(id); }
          function put(id, text) { var e = at(id); if (e.textContent !== text) { e.textContent = text; } }
          function show(id, isShown) { at(id).hidden = !isShown; }

          // Numbers as the terminal's screen writes them.
          function grouped(n) { return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ","); }
          function three(v) { return v < 9.995 ? v.toFixed(2) : v < 99.95 ? v.toFixed(1) : grouped(v); }
          function time(ms) {
            if (ms < 0.0009995) { return Math.round(ms * 1e6) + " ns"; }
            if (ms < 0.9995) { return three(ms * 1e3) + " µs"; }
            if (ms < 999.5) { return three(ms) + " ms"; }
            if (ms < 600000) { return three(ms / 1e3) + " s"; }
            var s = Math.floor(ms / 1e3);
            return grouped(Math.floor(s / 60)) + " min " + s % 60 + " s";
          }
          function rate(v) {
            return (v < 999.5 ? three(v) : v < 999500 ? three(v / 1e3) + "k" : three(v / 1e6) + "M") + "/s";
          }
          function briefRate(v) {
            return v === 0 ? "0" : rate(v).replace(/(\.\d*?)0+(?=[kM]?\/)/, "$1").replace(/\.(?=[kM]?\/)/, "");
          }
          function clock(ms) {
            var s = Math.max(0, Math.ceil(ms / 1e3)), two = function (n) { return (n < 10 ? "0" : "") + n; };
            if (s < 60) { return s + " s"; }
            if (s < 3600) { return Math.floor(s / 60) + " min " + two(s % 60) + " s"; }
            return Math.floor(s / 3600) + " h " + two(Math.floor(s / 60) % 60) + " min";
          }

          // Elements of a list, only made anew when something about them changes.
          function list(id, items, make) {
            var key = JSON.stringify(items), e = at(id);
            if (e.dataset.key === key) { return; }
            e.dataset.key = key;
            e.replaceChildren.apply(e, items.map(make));
          }
          function remark(item) {
            var li = document.createElement("li");
            li.textContent = item.text;
            if (item.tone) { li.className = item.tone; }
            return li;
          }
          function stage(item) {
            var li = document.createElement("li"), name = document.createElement("span"), mean = document.createElement("b");
            name.textContent = item.name;
            mean.textContent = time(item.meanMilliseconds);
            li.append(name, mean);
            return li;
          }

          // What a screen reader is told: said once, not five times a second.
          function say(word, tone, reason) {
            var key = word + "\n" + tone + "\n" + reason;
            if (key === shown) { return; }
            shown = key;
            at("word").className = "word " + tone;
            put("word", word);
            put("reason", reason);
          }

          function showState(s) {
            var total = s.totalMilliseconds, left = Math.max(0, total - s.elapsedMilliseconds);
            state = s;
            put("name", s.name || "A run");
            if (!ended) { say(s.phase, "", ""); }
            at("bar").style.visibility = total > 0 ? "visible" : "hidden";
            at("bar").value = total > 0 ? Math.min(1, s.elapsedMilliseconds / total) : 0;
            put("clock", total > 0 ? clock(left) + " left of " + clock(total) : "for " + clock(s.elapsedMilliseconds));
            document.title = (ended ? "" : s.phase + " · ") + s.name + " · wsmlab";
            put("clients", grouped(s.clients.up));
            at("clients").className = s.clients.areMissing ? "warn" : "";
            put("clients-note", "of " + grouped(s.clients.planned));
            flow("delivered", s.received);
            flow("published", s.published);
            latency("p50", s);
            latency("p99", s);
            list("signs", s.signs.map(function (text) { return { text: text, tone: "warn" }; }), remark);
            show("signs", s.signs.length > 0);
            show("signs-note", s.signs.length > 0);
            list("stages", s.stages, stage);
            show("stages-part", s.stages.length > 0);
            list("instances", s.instances, remark);
            show("instances-part", s.instances.length > 0);
            list("faults", s.faults.happened, remark);
            put("faults-earlier", grouped(s.faults.earlier) + " before these");
            show("faults-earlier", s.faults.earlier > 0);
            put("faults-next", "Next: " + (s.faults.next || ""));
            show("faults-next", Boolean(s.faults.next) && !ended);
            show("faults-part", s.faults.happened.length > 0 || Boolean(s.faults.next));
          }
          function flow(id, f) {
            var has = f.count > 0;
            put(id, has ? rate(f.perSecond) : "–");
            put(id + "-note", has ? grouped(f.count) + " so far" : "");
          }
          function latency(id, s) {
            var key = id + "Milliseconds", now = s.latencyNow, all = s.latencySoFar;
            var isMeasured = s.phase === "measuring" && !ended;
            put(id, now && isMeasured ? time(now[key]) : all && !isMeasured ? time(all[key]) : "–");
            put(id + "-note", !all ? "" : !isMeasured ? "so far" : (now ? "" : "nothing arrives; ") + time(all[key]) + " so far");
          }

          // The curves: bounded as the server's, points merged in pairs when there are too many.
          function merge(a, b) {
            var worse = function (x, y) { return x === null ? y : y === null ? x : Math.max(x, y); };
            return { t: a.t, p50: worse(a.p50, b.p50), p99: worse(a.p99, b.p99), rate: (a.rate + b.rate) / 2 };
          }
          function addPoint(p) {
            var last = points[points.length - 1];
            if (last && p.t < last.t + step) { points[points.length - 1] = merge(last, p); return; }
            points.push(p);
            if (points.length <= LIMIT) { return; }
            var old = points;
            points = [];
            step *= 2;
            old.forEach(addPoint);
          }
          function showHistory(h) {
            step = h.stepMilliseconds;
            points = h.startMilliseconds.map(function (t, i) {
              return { t: t, p50: h.p50Milliseconds[i], p99: h.p99Milliseconds[i], rate: h.receivedPerSecond[i] };
            });
          }

          function node(name, attributes, text) {
            var e = document.createElementNS(SVG, name);
            Object.keys(attributes).forEach(function (key) { e.setAttribute(key, attributes[key]); });
            if (text !== undefined) { e.textContent = text; }
            return e;
          }
          function path(place, key) {
            var d = "", down = false, before = 0;
            points.forEach(function (p) {
              var isGap = p[key] === null || p[key] <= 0 && key !== "rate";
              if (isGap || p.t - before > 5 * step) { down = false; }
              before = p.t;
              if (isGap) { return; }
              d += (down ? "L" : "M") + place(p, key);
              down = true;
            });
            return d;
          }
          function chart(id, curves, scale, ticks, label) {
            var svg = at(id), w = Math.max(240, svg.clientWidth || 880), h = 170, left = 58, right = 40, bottom = h - 24, top = 20;
            var end = Math.max(1000, points.length ? points[points.length - 1].t : 0);
            var x = function (t) { return left + (w - left - right) * Math.min(1, Math.max(0, t / end)); };
            var y = function (v) { return bottom - (bottom - top) * scale(v); };
            var parts = [];
            ticks.forEach(function (tick) {
              parts.push(node("line", { "class": "grid", x1: left, x2: w - right, y1: y(tick), y2: y(tick) }));
              parts.push(node("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, label(tick)));
            });
            steps(end, w < 500 ? 3 : 6).forEach(function (t) {
              parts.push(node("text", { x: x(t), y: h - 6, "text-anchor": t ? "middle" : "start" }, clock(t)));
            });
            if (state && state.measuredFromMilliseconds !== undefined) {
              var from = state.measuredFromMilliseconds;
              parts.push(node("line", { "class": "axis", x1: x(from), x2: x(from), y1: top, y2: bottom }));
              parts.push(node("text", { x: Math.min(x(from), w - right - 100), y: top - 8 }, "measured from here"));
              state.faults.happened.forEach(function (f) {
                if (f.atMilliseconds === undefined) { return; }
                var t = x(from + f.atMilliseconds);
                parts.push(node("line", { "class": "mark", x1: t, x2: t, y1: top, y2: bottom }));
              });
            }
            var taken = -99;
            curves.forEach(function (c) {
              parts.push(node("path", { "class": "curve " + c.style, d: path(function (p, key) {
                return x(p.t).toFixed(1) + " " + y(p[key]).toFixed(1);
              }, c.key) }));
              var last = points.filter(function (p) { return p[c.key] !== null && p[c.key] > 0; }).pop();
              if (!last || !c.name) { return; }
              var place = y(last[c.key]) + 4;
              if (Math.abs(place - taken) < 13) { place = taken + 13; }
              taken = place;
              parts.push(node("text", { x: Math.min(w - right, x(last.t)) + 5, y: place, "class": c.text }, c.name));
            });
            svg.setAttribute("viewBox", "0 0 " + w + " " + h);
            svg.replaceChildren.apply(svg, parts);
          }
          function steps(most, count) {
            var rough = most / count, power = Math.pow(10, Math.floor(Math.log10(rough)));
            var width = [1, 2, 5, 10].map(function (n) { return n * power; }).find(function (n) { return n >= rough; });
            var all = [];
            for (var v = 0; v <= most * 1.000001; v += width) { all.push(v); }
            return all;
          }
          function draw() {
            drawing = false;
            var values = [], most = 0;
            points.forEach(function (p) {
              [p.p50, p.p99].forEach(function (v) { if (v !== null && v > 0) { values.push(v); } });
              most = Math.max(most, p.rate);
            });
            var low = -1, high = 1;
            if (values.length) {
              low = Math.floor(Math.log10(values.reduce(function (a, b) { return Math.min(a, b); })));
              high = Math.max(low + 1, Math.ceil(Math.log10(values.reduce(function (a, b) { return Math.max(a, b); }))));
            }
            var ticks = [];
            for (var n = low; n <= high; n += Math.ceil((high - low) / 5)) { ticks.push(Math.pow(10, n)); }
            chart("latency-chart", [
              { key: "p99", style: "c1", text: "t1", name: "p99" }, { key: "p50", style: "c0", text: "t0", name: "p50" }
            ], function (v) { return (Math.log10(v) - low) / (high - low); }, ticks, function (ms) {
              return ms >= 1000 ? ms / 1000 + " s" : ms >= 0.9 ? Math.round(ms) + " ms" : ms >= 0.0009 ? Math.round(ms * 1e3) + " µs" : "";
            });
            var peak = steps(most || 1, 4), top = Math.max(most || 1, peak[peak.length - 1]);
            chart("rate-chart", [{ key: "rate", style: "c0", text: "t0" }], function (v) { return v / top; }, peak, briefRate);
            at("latency-chart").setAttribute("aria-label", values.length && state && state.latencySoFar ?
              "Latency over time; so far p50 " + time(state.latencySoFar.p50Milliseconds) + ", p99 " +
              time(state.latencySoFar.p99Milliseconds) : "No latency yet");
            at("rate-chart").setAttribute("aria-label", most > 0 ? "Deliveries a second over time, at most " + rate(most) : "No delivery yet");
          }
          function drawSoon() {
            if (drawing) { return; }
            drawing = true;
            requestAnimationFrame(draw);
          }

          function showEnd(e) {
            ended = true;
            showState(e.state);
            var mark = e.tone === "good" ? "✓ " : e.tone === "bad" ? "✕ " : "! ";
            say(mark + e.word, e.tone || "", e.reason);
            document.title = e.word + " · " + document.title;
            show("going", false);
            put("now-heading", "When it ended");
            var d = e.deliveries, text = "Exit code " + e.exitCode + ".";
            if (d) { text += " " + grouped(d.expected) + " deliveries expected, " + grouped(d.received) + " arrived, " + grouped(d.lost) + " lost, " + grouped(d.indeterminate) + " indeterminate."; }
            put("stored", (e.folder ? "Stored in " + e.folder + ". " : "Nothing is stored. ") + text);
            show("stored", true);
            put("link", "The run is over: nothing more will come.");
          }
          function lost(isFinal) {
            var text = "The run has ended or cannot be reached.";
            say("no connection", "bad", text + (isFinal ? " What stands here is the last that came." : ""));
            put("link", isFinal ? "Not connected; load the page again to try once more." : "Not connected; trying again.");
          }

          function receive(event) {
            var message;
            try { message = JSON.parse(event.data); } catch (error) { return; }
            if (message.type === "history") { showHistory(message); }
            if (message.type === "state") {
              showState(message);
              var now = message.latencyNow;
              addPoint({ t: message.ageMilliseconds, p50: now ? now.p50Milliseconds : null,
                p99: now ? now.p99Milliseconds : null, rate: message.received.perSecond });
            }
            if (message.type === "end") { showEnd(message); }
            drawSoon();
          }
          function connect() {
            var opened = 0;
            var socket = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/live");
            socket.onopen = function () {
              opened = Date.now();
              put("link", "Connected: this page follows the run.");
            };
            socket.onmessage = receive;
            socket.onclose = function () {
              if (ended) { return; }
              // Only what held for a while earns new tries: nobody is hammered.
              if (opened && Date.now() - opened > 10000) { tries = 0; }
              var wait = RETRIES[tries];
              tries += 1;
              lost(wait === undefined);
              if (wait !== undefined) { setTimeout(connect, wait); }
            };
          }
          addEventListener("resize", drawSoon);
          connect();
        })();

        """#
}
