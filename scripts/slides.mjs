// Opens slides in a browser that is installed already and looks at them: pictures of each slide, and what is wrong.
//
//   node slides.mjs BROWSER TOOLS PROFILE JOBS.json
//
// TOOLS is the folder whose node_modules hold puppeteer-core, which Marp's command line brings along.
// JOBS.json: [{kind: "reveal" | "marp", page: FILE.html, pictures: FOLDER or null}]. Prints one JSON document: for
// each job {slides, wrong: [[slide, what], ...]}. Wrong is text outside of its slide, texts that lie on each other,
// contrast below WCAG AA, a dialog, an error of a script, or anything that the page tried to load.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [browserPath, tools, profile, jobsFile] = process.argv.slice(2);
const puppeteer = createRequire(join(tools, "node_modules", "any.js"))("puppeteer-core");
const jobs = JSON.parse(await readFile(jobsFile, "utf8"));

// Runs in the page. Every leaf of text with its rectangle, in pixels of the slide's own 1280 x 720.
function measure(slide) {
  const wrong = [];
  const frame = slide.getBoundingClientRect();
  const scale = frame.width / 1280;
  const boxes = [];
  const luminance = (rgb) => {
    const linear = rgb.map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest("aside, style, script, title, svg > title")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const block = element.closest("text, li, h1, h2, h3, p, code, footer > *, .foot > *, .marks > span, figcaption") ?? element;
    for (const r of range.getClientRects()) {
      if (r.width < 0.5) continue;
      const box = {
        block, text: node.data.trim().slice(0, 50),
        left: (r.left - frame.left) / scale, right: (r.right - frame.left) / scale,
        top: (r.top - frame.top) / scale, bottom: (r.bottom - frame.top) / scale,
      };
      boxes.push(box);
      if (box.left < 0 || box.right > 1281 || box.top < 0 || box.bottom > 721) wrong.push(`outside: ${box.text}`);
    }
    const style = getComputedStyle(element);
    const colour = numbers(element instanceof SVGElement ? style.fill : style.color);
    const [light, dark] = [luminance(colour), luminance(ground(element))].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) wrong.push(`contrast ${contrast.toFixed(2)}: ${node.data.trim().slice(0, 50)}`);
    if (parseFloat(style.fontSize) < 15) wrong.push(`type of ${style.fontSize}: ${node.data.trim().slice(0, 50)}`);
  }
  for (const figure of slide.querySelectorAll("figure, figure img")) {
    const r = figure.getBoundingClientRect();
    if (r.right > frame.right + 1 || r.bottom > frame.bottom + 1) wrong.push("outside: a picture");
    const box = { block: figure, text: "a picture", left: (r.left - frame.left) / scale, top: (r.top - frame.top) / scale,
      right: (r.right - frame.left) / scale, bottom: (r.bottom - frame.top) / scale };
    if (figure.tagName === "IMG") boxes.push(box);
  }
  const caveat = slide.querySelector("blockquote, .caveat");
  if (caveat) {
    const r = caveat.getBoundingClientRect();
    boxes.push({ block: caveat, text: "the caveat", left: (r.left - frame.left) / scale, top: (r.top - frame.top) / scale,
      right: (r.right - frame.left) / scale, bottom: (r.bottom - frame.top) / scale });
  }
  // Lines of one block overlap by their leading; what must not is the text of two blocks.
  for (let i = 0; i < boxes.length; i++) {
    for (let j = i + 1; j < boxes.length; j++) {
      const [a, b] = [boxes[i], boxes[j]];
      if (a.block === b.block || a.block.contains(b.block) || b.block.contains(a.block)) continue;
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 1 && high > 3) wrong.push(`${high.toFixed(0)} px overlap: ${a.text} / ${b.text}`);
    }
  }
  return wrong;
}

const browser = await puppeteer.launch({
  executablePath: browserPath,
  userDataDir: profile,
  headless: true,
  args: [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--force-device-scale-factor=1",
  ],
});
const results = [];
for (const job of jobs) {
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 720 });
  const wrong = [];
  let now = 0;
  const address = pathToFileURL(job.page).href;
  page.on("dialog", (dialog) => { wrong.push([now, `dialog: ${dialog.message()}`]); dialog.dismiss(); });
  page.on("pageerror", (error) => wrong.push([now, `script error: ${error.message}`]));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith("data:") && !url.startsWith(address)) wrong.push([now, `loads ${url}`]);
  });
  await page.goto(address, { waitUntil: "load" });
  await page.evaluate(() => document.fonts.ready);
  // Without movement the same slide gives the same picture: reveal.js slides its progress bar along.
  await page.addStyleTag({ content: "* { transition: none !important; animation: none !important }" });
  const reveal = job.kind === "reveal";
  const all = reveal ? ".slides section" : "section[id]";
  const count = await page.$$eval(all, (found) => found.length);
  for (now = 1; now <= count; now++) {
    if (reveal) await page.evaluate((n) => Reveal.slide(n), now - 1);
    else await page.evaluate((n) => { location.hash = `#${n}`; }, now);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const slide = (await page.$$(all))[now - 1];
    wrong.push(...(await slide.evaluate(measure)).map((what) => [now, what]));
    if (job.pictures) await page.screenshot({ path: `${job.pictures}/${String(now).padStart(3, "0")}.png` });
  }
  results.push({ slides: count, wrong });
  await page.close();
}
await browser.close();
console.log(JSON.stringify(results));
