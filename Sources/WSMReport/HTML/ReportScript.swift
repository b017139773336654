/// The page's script: a page is complete without it.
///
/// It shows the `title` of what the pointer is over at once and in one style, and lets a legend's buttons hide curves.
enum ReportScript {
    static let source: StaticString = """

        (function () {
          "use strict";
          var root = document.documentElement;
          root.classList.add("js");
          var tip = document.createElement("div");
          tip.id = "tip";
          tip.hidden = true;
          tip.setAttribute("aria-hidden", "true");
          document.body.appendChild(tip);
          var words = new WeakMap();
          document.querySelectorAll(".hit").forEach(function (hit) {
            var title = hit.querySelector("title");
            if (!title) { return; }
            words.set(hit, title.textContent);
            title.remove();
          });
          function show(event) {
            var hit = event.target.closest ? event.target.closest(".hit") : null;
            if (!hit || !words.has(hit)) { tip.hidden = true; return; }
            tip.textContent = words.get(hit);
            tip.hidden = false;
            var left = Math.min(event.clientX + 14, root.clientWidth - tip.offsetWidth - 6);
            var top = event.clientY + 16;
            if (top + tip.offsetHeight > root.clientHeight) { top = event.clientY - tip.offsetHeight - 10; }
            tip.style.left = Math.max(6, left) + "px";
            tip.style.top = Math.max(6, top) + "px";
          }
          document.addEventListener("pointermove", show);
          document.addEventListener("pointerdown", show);
          document.addEventListener("scroll", function () { tip.hidden = true; }, { passive: true });
          document.querySelectorAll(".legend button").forEach(function (button) {
            button.addEventListener("click", function () {
              var isShown = button.getAttribute("aria-pressed") !== "true";
              button.setAttribute("aria-pressed", String(isShown));
              var figure = button.closest("figure");
              figure.querySelectorAll("g[data-series]").forEach(function (group) {
                if (group.getAttribute("data-series") === button.getAttribute("data-series")) {
                  group.classList.toggle("off", !isShown);
                }
              });
            });
          });
        })();

        """
}
