"use strict";
// Hear from a line on, search, and ratings as a file. Without scripting the page is complete but for these three.
const players = [...document.querySelectorAll("audio[data-from]")];
const playerAt = (second) =>
  players.find((p) => second >= Number(p.dataset.from) && (!p.dataset.to || second < Number(p.dataset.to)));
const lines = [...document.querySelectorAll(".lines > li")];
for (const link of document.querySelectorAll("a[data-at]")) {
  const player = playerAt(Number(link.dataset.at));
  if (!player) continue;
  link.title = "Hear it from here";
  link.addEventListener("click", (event) => {
    event.preventDefault();
    for (const other of players) if (other !== player) other.pause();
    player.currentTime = Number(link.dataset.at) - Number(player.dataset.from);
    player.play().catch(() => {});
  });
}
for (const player of players) {
  player.addEventListener("timeupdate", () => {
    const now = player.currentTime + Number(player.dataset.from);
    for (const line of lines) {
      const here = now >= Number(line.dataset.start ?? Infinity) && now < Number(line.dataset.end ?? -1);
      line.classList.toggle("playing", here && !player.paused);
    }
  });
}
const search = document.getElementById("find-form");
if (search) {
  search.hidden = false;
  const found = document.getElementById("found");
  search.addEventListener("submit", (event) => event.preventDefault());
  search.querySelector("input").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    let shown = 0;
    for (const line of lines) {
      line.hidden = Boolean(wanted) && !line.textContent.toLowerCase().includes(wanted);
      if (!line.hidden) shown += 1;
    }
    found.textContent = wanted ? `${shown} of ${lines.length} lines` : "";
  });
}
const review = document.getElementById("review");
if (review) {
  review.hidden = false;
  const quoted = (text) => `"${String(text).replace(/\r?\n/g, " ").replaceAll('"', '""')}"`;
  const says = document.getElementById("review-says");
  review.addEventListener("submit", (event) => {
    event.preventDefault();
    const now = new Date();
    const today = [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((n) => String(n).padStart(2, "0")).join("-");
    const reviewer = review.elements.reviewer_id.value.trim();
    const rows = [];
    for (const row of review.querySelectorAll("tr[data-parameter]")) {
      const rating = row.querySelector("[data-rating]").value.trim();
      const comment = row.querySelector("[data-comment]").value.trim();
      const absent = row.querySelector("[data-absent]").checked;
      if (!rating && !absent) {
        if (comment) return void (says.textContent = "A comment needs a rating beside it, or \u201cdoes not apply\u201d.");
        continue;
      }
      rows.push([`annotation-${today}`, review.dataset.call, reviewer, row.dataset.parameter, absent ? "" : rating, "100",
        review.elements.department.value.trim(), now.toISOString(), absent, comment]);
    }
    if (!reviewer) return void (says.textContent = "Who rates? Fill in your reviewer id.");
    if (!rows.length) return void (says.textContent = "Nothing is rated yet.");
    const head = "session_id,interaction_id,reviewer_id,parameter,rating,max_rating,department,rated_at,not_applicable,comment";
    const text = [head, ...rows.map((row) => row.map(quoted).join(","))].join("\n") + "\n";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = `reviews-annotation-${today}-${review.dataset.call}-${reviewer}.csv`.replace(/[^A-Za-z0-9_.-]+/g, "_");
    link.click();
    says.textContent = `${link.download} holds ${rows.length} rating(s): put it into the landing folder.`;
  });
}
