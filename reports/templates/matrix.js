(function () {
  "use strict";
  var form = document.getElementById("filter");
  var rows = Array.prototype.slice.call(document.querySelectorAll("#matrix tbody tr"));
  var texts = rows.map(function (row) { return row.textContent.toLowerCase(); });
  var shown = document.getElementById("shown");
  function apply() {
    var text = form.elements.text.value.toLowerCase();
    var verdict = form.elements.verdict.value;
    var differing = form.elements.differs.checked;
    var count = 0;
    rows.forEach(function (row, place) {
      var has = " " + row.getAttribute("data-verdicts") + " ";
      var fits = texts[place].indexOf(text) >= 0 && (!differing || row.hasAttribute("data-differs"));
      if (verdict === "not_pass") {
        fits = fits && / (fail|inconclusive|warn) /.test(has);
      } else if (verdict) {
        fits = fits && has.indexOf(" " + verdict + " ") >= 0;
      }
      row.hidden = !fits;
      count += fits ? 1 : 0;
    });
    shown.textContent = count + " / " + rows.length;
  }
  form.addEventListener("input", apply);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.hidden = false;
  apply();
}());
