// The page: makes its parts and connects them.

import { get } from "./api.js";
import { ChannelChips } from "./channels.js";
import { byId, hasVectors, icon } from "./dom.js";
import { Favourites } from "./favourites.js";
import { FavouritesView } from "./favourites-view.js";
import { Filters } from "./filters.js";
import { forget } from "./forgetting.js";
import { Grid } from "./grid.js";
import { openHelp } from "./help.js";
import { listenToKeys } from "./keyboard.js";
import { LibraryDialog } from "./library.js";
import { News } from "./news.js";
import { Panel } from "./panel.js";
import { Pictures } from "./pictures.js";
import { Results } from "./results.js";
import { SearchBox } from "./search-box.js";
import { StatusWatch } from "./status.js";
import { Steps } from "./steps.js";
import { hasQuery, queryParameters, Store, EMPTY } from "./state.js";
import { makeThemeButton } from "./theme-button.js";
import { toast } from "./toasts.js";

const store = new Store();
const favourites = new Favourites(store, () => {
  grid.refresh();
  panel.refresh();
  favouritesView.show();
});
const actions = {
  open: (moment) => openMoment(moment, { play: true }),
  openId: (id) => store.set({ open: id, t: "" }, { play: true }),
  close: () => closePanel(),
  like: ({ id }) => hasVectors() && store.set({ ...withoutQuery(), clip: id, open: "", t: "", view: "" }),
  favour: (moment) => favourites.judge(moment, true),
  reject: (moment) => favourites.judge(moment, false),
  share: (time) => share(time),
  forget: ({ video }) => {
    closePanel();
    forget({ videos: [video] }, () => watch.ask());
  },
  help: openHelp,
  exportMoment: (moment) => {
    if (moment && panel.moment?.id !== moment.id) openMoment(moment, { play: false });
    if (panel.moment) panel.openExport();
  },
  escape: () => (store.state.open ? closePanel() : document.activeElement?.blur()),
  needMore: () => results.more(),
};

const grid = new Grid(actions, (moment) => favourites.verdict(moment) === true);
const panel = new Panel(store, actions, (moment) => favourites.verdict(moment));
const box = new SearchBox(store);
const steps = new Steps(store, (change) => box.later(change));
const chips = new ChannelChips(store);
const filters = new Filters(store, { addStep: () => steps.add() });
new Pictures(store);
const news = new News((action) => command(action));
const results = new Results(store, grid, { filters, command: (action) => command(action) });
const favouritesView = new FavouritesView(store, favourites, actions);
const watch = new StatusWatch({
  onStatus: (status) => {
    news.show(status);
    library.show(status);
    chips.show(status.library.covers);
    showVectors(status.model?.pictures !== false);
    results.hear(status);
    if (status.state !== "first_run" && status.generation !== generation) {
      generation = status.generation;
      filters.loadFolders();
      favourites.load();
      panel.reload();
      panel.reread();
    }
  },
  onGone: () => news.gone(),
});
const library = new LibraryDialog(store, watch);
let generation = null;

function command(action) {
  return library.command(action);
}

/** Another search changes what is looked for, not where and how. */
function withoutQuery() {
  return { q: "", then: [], within: "", picture: "", weight: "" };
}

/** What compares pictures is offered only where there are vectors to compare. */
function showVectors(are) {
  document.body.dataset.vectors = are ? "some" : "none";
  byId("query").placeholder = are ? "Describe a moment" : "Search words and names";
}

function openMoment(moment, { play }) {
  opened = moment;
  store.set({ open: moment.id, t: "" }, { play, replace: Boolean(store.state.open) });
}

function closePanel() {
  const inside = byId("panel").contains(document.activeElement);
  store.set({ open: "", t: "" });
  if (inside) grid.focus();
}

let opened = null;
const narrow = matchMedia("(max-width: 900px)");
narrow.addEventListener("change", cover);

/** Where the panel covers the page, what lies under it is out of reach. */
function cover() {
  const covered = Boolean(store.state.open) && narrow.matches;
  for (const part of [byId("results"), document.querySelector(".header")]) part.inert = covered;
}

/** Shows in the panel what the address says is open. */
async function showOpen(state, play) {
  grid.setOpen(state.open);
  cover();
  if (!state.open) {
    panel.close();
    return;
  }
  const known = opened?.id === state.open ? opened : grid.moments.find(({ id }) => id === state.open);
  try {
    const moment = known ?? (await wholeMoment(state.open));
    if (store.state.open === state.open) {
      panel.open(moment, { time: state.t === "" ? null : Number(state.t), play });
      if (narrow.matches) byId("panel").querySelector("button").focus();
    }
  } catch (error) {
    toast(error.message);
    store.set({ open: "", t: "" }, { replace: true });
  }
}

/** The moment around a clip under the query, for a clip that is not among the hits. */
async function wholeMoment(id) {
  const moment = await get(`/api/clips/${id}`);
  const query = queryParameters(store.state);
  if (!query.size) return moment;
  const curve = await get(`/api/videos/${moment.video}/curve?${query}`).catch(() => null);
  const middle = (moment.start + moment.end) / 2;
  const around = curve?.moments.find(({ start, end }) => start <= middle && middle < end);
  return around ? { ...moment, ...around } : moment;
}

async function share(time) {
  store.set({ t: time.toFixed(2) }, { replace: true });
  try {
    await navigator.clipboard.writeText(location.href);
    toast("The link to this view is copied.");
  } catch {
    toast("The link to this view is in the address bar.");
  }
}

store.subscribe((state, previous, how) => {
  document.title = hasQuery(state) && state.q ? `${state.q} · Moviola` : "Moviola";
  if (state.open !== previous.open || how.play) showOpen(state, Boolean(how.play));
  else if (state.open && ["q", "then", "channel", "clip", "picture"].some((name) => state[name] !== previous[name])) panel.reload();
  if (state.view !== previous.view) showView(state.view);
});

function showView(view) {
  document.body.dataset.view = view;
  if (view === "failures") library.open();
  favouritesView.show();
}

byId("show-help").append(icon("help"));
byId("show-help").addEventListener("click", openHelp);
byId("show-favourites").append(icon("star"));
byId("show-favourites").addEventListener("click", () =>
  store.set({ view: store.state.view === "favourites" ? "" : "favourites" }),
);
byId("library").addEventListener("click", () => library.open());
byId("dialog").addEventListener("close", () => {
  if (store.state.view === "failures") store.set({ view: "" }, { replace: true });
});
byId("home").addEventListener("click", (event) => {
  event.preventDefault();
  store.set({ ...EMPTY });
  byId("query").focus();
});
makeThemeButton(byId("theme"));
// The header grows with the steps of a query; what sticks below it must know.
new ResizeObserver(([{ target }]) =>
  document.documentElement.style.setProperty("--header", `${target.offsetHeight}px`),
).observe(document.querySelector(".header"));
listenToKeys({ grid, panel, actions });

watch.ask();
if (store.state.open) showOpen(store.state, false);
if (store.state.view) showView(store.state.view);
