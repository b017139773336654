/// The page that shows a run while it lasts: self-contained, with the reports' style, and no word from outside in it.
///
/// All that it shows comes over the WebSocket at `/live` of the server that it is from, as texts of ``LiveText``, and becomes
/// text of elements, never markup.
package enum LivePage {
    /// The source of the page's script, as a Content-Security-Policy names it: the SHA-256 of its bytes.
    package static let script = "'sha256-0GYvphj26zlyurrtgKX+2kM4xaSP1UhRH+V81bQQic0='"

    package static let text = """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>wsmlab live</title>
        <style>\(ReportStyle.sheet)\(LivePageStyle.sheet)</style>
        </head>
        <body>
        <header>
        <p class="brand">wsmlab · live</p>
        <h1 id="name">A run</h1>
        <p class="verdict" id="verdict" role="status" aria-live="polite"><span class="word" id="word">connecting</span> \
        <span id="reason"></span></p>
        <div id="going"><progress id="bar" max="1" value="0" aria-label="How much of the phase is over"></progress>
        <p class="soft" id="clock"></p></div>
        <p class="soft" id="stored" hidden></p>
        <noscript><p class="bad">This page needs its script: allow it for this address.</p></noscript>
        </header>
        <main>
        <section aria-labelledby="now-heading">
        <h2 id="now-heading">Now</h2>
        <dl class="tiles">
        <div><dt>Clients up</dt><dd><b id="clients">–</b><span id="clients-note"></span></dd></div>
        <div><dt>Delivered</dt><dd><b id="delivered">–</b><span id="delivered-note"></span></dd></div>
        <div><dt>Published</dt><dd><b id="published">–</b><span id="published-note"></span></dd></div>
        <div><dt>Latency p50</dt><dd><b id="p50">–</b><span id="p50-note"></span></dd></div>
        <div><dt>Latency p99</dt><dd><b id="p99">–</b><span id="p99-note"></span></dd></div>
        </dl>
        <ul class="remarks" id="signs" hidden></ul>
        <p class="soft" id="signs-note" hidden>Signs that something goes missing. Losses are counted at the end.</p>
        </section>
        <section aria-labelledby="curves-heading">
        <h2 id="curves-heading">Over time</h2>
        <figure><figcaption>Latency of each second, on a scale of powers of ten. <span class="key">Dashed upright lines: \
        faults.</span></figcaption>
        <svg id="latency-chart" role="img" aria-label="No latency yet"></svg></figure>
        <figure><figcaption>Deliveries a second</figcaption>
        <svg id="rate-chart" role="img" aria-label="No delivery yet"></svg></figure>
        </section>
        <section aria-labelledby="stages-heading" id="stages-part" hidden>
        <h2 id="stages-heading">Where messages spend their time</h2>
        <ol class="stages" id="stages"></ol>
        </section>
        <section aria-labelledby="instances-heading" id="instances-part" hidden>
        <h2 id="instances-heading">Instances</h2>
        <ul class="chips" id="instances"></ul>
        </section>
        <section aria-labelledby="faults-heading" id="faults-part" hidden>
        <h2 id="faults-heading">Faults</h2>
        <ul class="remarks" id="faults"></ul>
        <p class="soft" id="faults-earlier" hidden></p>
        <p class="soft" id="faults-next" hidden></p>
        </section>
        </main>
        <footer><p id="link">Not connected yet</p></footer>
        <script>\(LivePageScript.source)</script>
        </body>
        </html>

        """
}
