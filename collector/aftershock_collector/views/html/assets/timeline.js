"use strict";
(() => {
  const known = JSON.parse(document.getElementById("data").textContent);
  const stage = document.querySelector(".stage");
  const cross = stage.querySelector(".cross");
  const chosen = stage.querySelector(".chosen");
  const detail = document.querySelector(".detail");
  const reset = document.querySelector(".reset");
  const ticks = stage.querySelector(".ticks");
  const grid = stage.querySelector(".grid");
  const plots = [...stage.querySelectorAll(".row.plot")];
  const long = known.ended - known.began;
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400, 604800];
  let view = { from: 0, zoom: 1 };
  let drag = null;
  let dragged = false;

  const make = (name, text, kind) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  };
  const clock = (ms, tenths) => new Date(ms + known.offset).toISOString().slice(11, tenths ? 21 : 19);
  const bounds = () => ticks.getBoundingClientRect();
  const shareAt = (x) => {
    const box = bounds();
    return view.from + Math.min(Math.max((x - box.left) / box.width, 0), 1) / view.zoom;
  };

  function scale() {
    const seen = long / 1000 / view.zoom;
    const step = steps.find((s) => seen / s <= 12) || 604800;
    const first = known.began + view.from * long;
    const last = first + long / view.zoom;
    ticks.replaceChildren();
    grid.replaceChildren();
    for (let at = Math.ceil(first / step / 1000) * step * 1000; at <= last; at += step * 1000) {
      const share = (at - known.began) / long;
      const [mark, line] = [make("span", clock(at, step < 1)), make("i")];
      mark.style.setProperty("--a", share);
      line.style.setProperty("--a", share);
      if ((share - view.from) * view.zoom <= 0.95) ticks.append(mark);
      grid.append(line);
    }
  }

  function show(from, zoom) {
    const bounded = Math.min(Math.max(zoom, 1), 2000);
    view = { zoom: bounded, from: Math.min(Math.max(from, 0), 1 - 1 / bounded) };
    stage.style.setProperty("--from", view.from);
    stage.style.setProperty("--zoom", view.zoom);
    for (const svg of stage.querySelectorAll(".plot svg")) {
      svg.setAttribute("viewBox", `${view.from * 10000} 0 ${10000 / view.zoom} 100`);
    }
    reset.hidden = view.zoom === 1;
    scale();
  }

  function nearest(points, share) {
    let best = null;
    for (const point of points) {
      if (point[0] > share) break;
      best = point;
    }
    return best;
  }

  function follow(event) {
    const box = bounds();
    const inside = event.clientX >= box.left && event.clientX <= box.right;
    cross.hidden = !inside;
    if (!inside) return unread();
    const share = shareAt(event.clientX);
    cross.style.setProperty("--x", `${event.clientX - box.left}px`);
    cross.firstElementChild.textContent = clock(known.began + share * long, true);
    plots.forEach((row, number) => {
      const point = nearest(known.plots[number] || [], share);
      const value = row.querySelector(".newest");
      if (value) value.textContent = point ? point[1] : "–";
    });
    if (drag !== null) {
      const a = Math.min(drag, event.clientX) - box.left;
      chosen.hidden = false;
      chosen.style.setProperty("--x1", `${a}px`);
      chosen.style.setProperty("--wide", `${Math.abs(drag - event.clientX)}px`);
    }
  }

  function unread() {
    cross.hidden = true;
    for (const value of stage.querySelectorAll(".newest")) value.textContent = value.dataset.usual;
  }

  function light(marks) {
    const wanted = marks ? marks.split(" ") : [];
    stage.classList.toggle("picked", wanted.length > 0);
    for (const element of stage.querySelectorAll("[data-marks]")) {
      const has = element.dataset.marks.split(" ").some((mark) => wanted.includes(mark));
      (element.closest(".row.finding") || element).classList.toggle("lit", has);
    }
  }

  function close() {
    detail.hidden = true;
    light("");
  }

  function open(element) {
    const shown = known.details[Number(element.dataset.n)];
    if (!shown) return;
    const list = make("dl");
    for (const [key, value] of shown.rows) list.append(make("dt", key), make("dd", value));
    const shut = make("button", "×");
    shut.type = "button";
    shut.setAttribute("aria-label", "Close");
    shut.addEventListener("click", close);
    detail.replaceChildren(shut, make("h3", shown.title), list);
    detail.hidden = false;
    light(element.dataset.marks);
  }

  scale();
  stage.addEventListener("pointermove", follow);
  stage.addEventListener("pointerleave", unread);
  stage.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && !event.target.closest(".label, .value")) drag = event.clientX;
  });
  window.addEventListener("pointerup", (event) => {
    const began = drag;
    drag = null;
    chosen.hidden = true;
    if (began === null || Math.abs(event.clientX - began) < 6) return;
    const [a, b] = [shareAt(Math.min(began, event.clientX)), shareAt(Math.max(began, event.clientX))];
    show(a, 1 / Math.max(b - a, 0.0005));
    dragged = true;  // the click that follows at once is the end of the drag
    setTimeout(() => { dragged = false; }, 0);
  });
  stage.addEventListener("click", (event) => {
    if (dragged) return;
    const element = event.target.closest("[data-n]");
    if (element) open(element);
    else close();
  });
  stage.addEventListener("dblclick", () => show(0, 1));
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const share = shareAt(event.clientX);
    const zoom = view.zoom * Math.exp(-event.deltaY / 200);
    show(share - (share - view.from) * (view.zoom / zoom), zoom);
  }, { passive: false });
  reset.addEventListener("click", () => show(0, 1));
  document.addEventListener("keydown", (event) => {
    const move = { "+": [0.25, 2], "-": [-0.5, 0.5], ArrowLeft: [-0.25, 1], ArrowRight: [0.25, 1], 0: [-2, 0] }[event.key];
    if (event.key === "Escape") close();
    else if (move && !event.ctrlKey && !event.metaKey) show(view.from + move[0] / view.zoom, view.zoom * move[1]);
  });
})();
