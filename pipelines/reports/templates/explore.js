// The filters. Their data are groups of calls with n, sum and sum of squares, so that mean and interval of any choice
// are exact. Everything is built with textContent: what came from outside stays text.
const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, content] of Object.entries(attributes)) element.setAttribute(name, content);
  element.append(...children);
  return element;
};
const draw = (tag, attributes, text) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, content] of Object.entries(attributes)) element.setAttribute(name, content);
  if (text !== undefined) element.textContent = text;
  return element;
};
const shown = (x, digits = 1) => (x === null ? "–" : x.toFixed(digits).replace("-", "\u2212"));
const signed = (x) => (x > 0 ? "+" : "") + shown(x);
// 97.5 % point of Student's t; exact for 1 and 2, else a series in 1/freedom (Fisher and Cornish 1960).
const quantile = (freedom) => {
  if (freedom === 1) return 12.7062;
  if (freedom === 2) return 4.30265;
  const z = 1.959964, v = freedom;
  return z + (z ** 3 + z) / (4 * v) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * v ** 2)
    + (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * v ** 3);
};
const summary = ({ n, sum, squares }) => {
  if (!n) return { n, mean: null, low: null, high: null, error: null };
  const mean = sum / n;
  if (n < 2) return { n, mean, low: null, high: null, error: null };
  const error = Math.sqrt(Math.max(0, squares - n * mean * mean) / (n - 1) / n);
  const half = quantile(n - 1) * error;
  return { n, mean, low: Math.max(0, mean - half), high: Math.min(100, mean + half), error };
};
const interval = (s) => (s.low === null ? "– needs two calls" : `${shown(s.low)} to ${shown(s.high)}`);

const explore = (data) => {
  const form = document.getElementById("explore-form");
  const says = document.getElementById("explore-says");
  const dayName = (iso, options) => new Date(`${iso}T00:00:00Z`).toLocaleDateString("en-GB", { timeZone: "UTC", ...options });
  const startName = (i) => (data.grain === "week" ? "Week of " : "") + dayName(data.starts[i], { day: "numeric", month: "short", year: "numeric" });
  const select = (name, label, options, chosen) => {
    const box = make("select", { name });
    for (const [value, text] of options) box.append(make("option", { value, ...(value === chosen ? { selected: "" } : {}) }, text));
    form.append(make("label", {}, label, box));
    return box;
  };
  const boxes = data.dimensions.map((d) => select(d.key, d.name, [["", "all"], ...d.values.map((v, i) => [String(i), v])], ""));
  const starts = data.starts.map((_, i) => [String(i), startName(i)]);
  const from = select("from", "From", starts, "0");
  const to = select("to", "To", starts, String(starts.length - 1));
  const by = select("by", "Show by", [["period", data.grain === "week" ? "Week" : "Day"], ...data.dimensions.map((d, i) => [String(i), d.name])], "period");
  const reset = make("button", { type: "button" }, "Show everything");
  form.append(reset);

  const sums = () => ({ n: 0, sum: 0, squares: 0 });
  const add = (to, i) => {
    to.n += data.n[i];
    to.sum += data.sum[i];
    to.squares += data.squares[i];
  };
  const trend = (points) => {
    const place = document.getElementById("explore-chart");
    place.replaceChildren();
    const known = points.filter((p) => p.mean !== null);
    if (known.length < 2) return;
    const width = Math.max(280, Math.min(936, place.clientWidth || 936)), height = 190, left = 36, bottom = 24;
    const firm = known.filter((p) => p.low !== null);
    const ends = [...known.map((p) => p.mean), ...firm.flatMap((p) => [p.low, p.high])];
    const low = Math.floor(Math.max(0, Math.min(...ends)) / 10) * 10, high = Math.ceil(Math.min(100, Math.max(...ends)) / 10) * 10;
    const x = (at) => left + 8 + ((width - left - 20) * (at - points[0].at)) / Math.max(1, points[points.length - 1].at - points[0].at);
    const y = (v) => 8 + ((height - bottom - 16) * (high - v)) / Math.max(1, high - low);
    const svg = draw("svg", { class: "chart", role: "img", width, height, viewBox: `0 0 ${width} ${height}`, "aria-label": `IQS from ${startName(points[0].at)} to ${startName(points[points.length - 1].at)}; the table holds the numbers` });
    for (let mark = low; mark <= high; mark += high - low > 50 ? 20 : 10) {
      svg.append(draw("line", { class: "grid", x1: left, x2: width, y1: y(mark), y2: y(mark) }), draw("text", { x: left - 8, y: y(mark) + 4, "text-anchor": "end" }, String(mark)));
    }
    for (const p of firm) svg.append(draw("line", { class: "whisker", x1: x(p.at), x2: x(p.at), y1: y(p.low), y2: y(p.high) }));
    svg.append(draw("path", { class: "line", d: "M" + known.map((p) => `${x(p.at).toFixed(1)} ${y(p.mean).toFixed(1)}`).join("L") }));
    for (const p of known) {
      const dot = draw("circle", { class: p.low === null ? "dot open" : "dot", cx: x(p.at), cy: y(p.mean), r: known.length > 80 ? 2 : 4 });
      dot.append(draw("title", {}, `${startName(p.at)}: ${shown(p.mean)}, ${p.n} calls, 95 % interval ${interval(p)}`));
      svg.append(dot);
    }
    svg.append(draw("text", { x: left, y: height - 4 }, startName(points[0].at)), draw("text", { x: width - 4, y: height - 4, "text-anchor": "end" }, startName(points[points.length - 1].at)));
    place.append(svg);
  };
  const update = () => {
    const wanted = boxes.map((b) => (b.value === "" ? -1 : Number(b.value)));
    const first = Math.min(Number(from.value), Number(to.value)), last = Math.max(Number(from.value), Number(to.value));
    const grouped = by.value === "period" ? null : data.dimensions[Number(by.value)];
    const chosen = sums(), rest = sums(), periods = new Map(), groups = new Map();
    for (let i = 0; i < data.n.length; i++) {
      const at = data.at[i];
      if (at < first || at > last) continue;
      if (wanted.some((w, d) => w >= 0 && data.dimensions[d].cells[i] !== w)) {
        add(rest, i);
        continue;
      }
      add(chosen, i);
      if (!periods.has(at)) periods.set(at, sums());
      add(periods.get(at), i);
      if (grouped) {
        const key = grouped.cells[i];
        if (!groups.has(key)) groups.set(key, sums());
        add(groups.get(key), i);
      }
    }
    const all = summary(chosen), others = summary(rest);
    let text = all.n ? `IQS ${shown(all.mean)} over ${all.n.toLocaleString("en")} scored ${all.n === 1 ? "call" : "calls"}, 95 % interval ${interval(all)}.` : "No scored call is in this choice.";
    if (all.error !== null && others.error !== null) {
      const error = Math.hypot(all.error, others.error);
      const freedom = error ** 4 / (all.error ** 4 / (all.n - 1) + others.error ** 4 / (others.n - 1));
      const gap = all.mean - others.mean, half = quantile(Math.max(1, Math.floor(freedom))) * error;
      text += ` Against all others in these days (${shown(others.mean)}): ${signed(gap)}, ` + (Math.abs(gap) > half ? "more than chance." : "could be chance.");
    }
    says.textContent = text;
    trend([...periods.keys()].sort((a, b) => a - b).map((at) => ({ at, ...summary(periods.get(at)) })));
    const rows = grouped
      ? [...groups].map(([key, s]) => ({ key, name: grouped.values[key], ...summary(s) })).sort((a, b) => a.mean - b.mean)
      : [...periods].sort((a, b) => b[0] - a[0]).map(([at, s]) => ({ key: null, name: startName(at), ...summary(s) }));
    const body = make("tbody");
    for (const r of rows.slice(0, 500)) {
      const head = make("th", { scope: "row" });
      if (r.key === null) head.textContent = r.name;
      else {
        const pick = make("button", { type: "button", class: "pick" }, r.name);
        pick.addEventListener("click", () => {
          const d = Number(by.value);
          boxes[d].value = String(r.key);
          by.value = "period";
          update();
          boxes[d].focus();
        });
        head.append(pick);
        const link = grouped.links[r.key];
        if (link) head.append(" ", make("a", { href: link, "aria-label": `Page of ${r.name}` }, "page"));
      }
      body.append(make("tr", {}, head, make("td", { class: "num" }, shown(r.mean)), make("td", { class: "num" }, interval(r)), make("td", { class: "num" }, r.n.toLocaleString("en"))));
    }
    const columns = [[grouped ? grouped.name : by.selectedOptions[0].textContent, ""], ["IQS", "num"], ["95 % interval", "num"], ["Scored", "num"]];
    const table = make("table", {}, make("caption", {}, rows.length > 500 ? `The first 500 of ${rows.length} rows, lowest first` : grouped ? "Lowest first" : "Newest first"),
      make("thead", {}, make("tr", {}, ...columns.map(([name, style]) => make("th", { scope: "col", class: style }, name)))), body);
    document.getElementById("explore-table").replaceChildren(table);
  };
  form.addEventListener("change", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  reset.addEventListener("click", () => {
    form.reset();
    update();
  });
  // Shown before it is drawn, so that the chart knows its width.
  for (const part of document.querySelectorAll(".scripted")) part.hidden = false;
  update();
};
const exploreData = document.getElementById("explore-data");
if (exploreData) explore(JSON.parse(exploreData.textContent));
