/** The files of the dashboard, each under the name by which it is asked for. */

import type { Asset } from "../asset.ts";
import api from "./api.js" with { type: "text" };
import app from "./app.js" with { type: "text" };
import chart from "./chart.js" with { type: "text" };
import confirm from "./confirm.js" with { type: "text" };
import connection from "./connection.js" with { type: "text" };
import copy from "./copy.js" with { type: "text" };
import deadLetters from "./dead_letters.js" with { type: "text" };
import detail from "./detail.js" with { type: "text" };
import dom from "./dom.js" with { type: "text" };
import download from "./download.js" with { type: "text" };
import event from "./event.js" with { type: "text" };
import eventTable from "./event_table.js" with { type: "text" };
import events from "./events.js" with { type: "text" };
import exporting from "./export.js" with { type: "text" };
import facts from "./facts.js" with { type: "text" };
import filter from "./filter.js" with { type: "text" };
import filterForm from "./filter_form.js" with { type: "text" };
import format from "./format.js" with { type: "text" };
import jsonText from "./json_text.js" with { type: "text" };
import letterTable from "./letter_table.js" with { type: "text" };
import live from "./live.js" with { type: "text" };
import rates from "./rates.js" with { type: "text" };
import route from "./route.js" with { type: "text" };
import snippets from "./snippets.js" with { type: "text" };
import sse from "./sse.js" with { type: "text" };
import stats from "./stats.js" with { type: "text" };
import tail from "./tail.js" with { type: "text" };
import theme from "./theme.js" with { type: "text" };
import throughput from "./throughput.js" with { type: "text" };
import token from "./token.js" with { type: "text" };
import trendTables from "./trend_tables.js" with { type: "text" };
import trends from "./trends.js" with { type: "text" };
import zone from "./zone.js" with { type: "text" };
import icon from "./icon.svg" with { type: "text" };
import page from "./index.html" with { type: "text" };
import layoutCss from "./layout.css" with { type: "text" };
import themeCss from "./theme.css" with { type: "text" };
import viewsCss from "./views.css" with { type: "text" };
import uplot from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import uplotCss from "uplot/dist/uPlot.min.css" with { type: "text" };

const JS = "text/javascript; charset=utf-8", CSS = "text/css; charset=utf-8";

/** The page has the empty name. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ["", { type: "text/html; charset=utf-8", text: page }],
  ["icon.svg", { type: "image/svg+xml; charset=utf-8", text: icon }],
  ["uplot.js", { type: JS, text: uplot }],
  ["uplot.css", { type: CSS, text: uplotCss }],
  ["layout.css", { type: CSS, text: layoutCss }],
  ["theme.css", { type: CSS, text: themeCss }],
  ["views.css", { type: CSS, text: viewsCss }],
  ["api.js", { type: JS, text: api }],
  ["app.js", { type: JS, text: app }],
  ["chart.js", { type: JS, text: chart }],
  ["confirm.js", { type: JS, text: confirm }],
  ["connection.js", { type: JS, text: connection }],
  ["copy.js", { type: JS, text: copy }],
  ["dead_letters.js", { type: JS, text: deadLetters }],
  ["detail.js", { type: JS, text: detail }],
  ["dom.js", { type: JS, text: dom }],
  ["download.js", { type: JS, text: download }],
  ["event.js", { type: JS, text: event }],
  ["event_table.js", { type: JS, text: eventTable }],
  ["events.js", { type: JS, text: events }],
  ["export.js", { type: JS, text: exporting }],
  ["facts.js", { type: JS, text: facts }],
  ["filter.js", { type: JS, text: filter }],
  ["filter_form.js", { type: JS, text: filterForm }],
  ["format.js", { type: JS, text: format }],
  ["json_text.js", { type: JS, text: jsonText }],
  ["letter_table.js", { type: JS, text: letterTable }],
  ["live.js", { type: JS, text: live }],
  ["rates.js", { type: JS, text: rates }],
  ["route.js", { type: JS, text: route }],
  ["snippets.js", { type: JS, text: snippets }],
  ["sse.js", { type: JS, text: sse }],
  ["stats.js", { type: JS, text: stats }],
  ["tail.js", { type: JS, text: tail }],
  ["theme.js", { type: JS, text: theme }],
  ["throughput.js", { type: JS, text: throughput }],
  ["token.js", { type: JS, text: token }],
  ["trend_tables.js", { type: JS, text: trendTables }],
  ["trends.js", { type: JS, text: trends }],
  ["zone.js", { type: JS, text: zone }],
]);
