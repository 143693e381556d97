// Build the dashboard into api/static/dashboard, with the digest of its sources that a test compares.
//
// The built files are committed: nobody who installs or runs the service needs node.
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, readdirSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "api", "static", "dashboard");
const BUDGET_BYTES = 450 * 1024; // all JavaScript, gzipped

/** Every file that decides what is built, sorted by name; tests/dashboard/test_build.py lists the same. */
function sources() {
  const walk = (folder) =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? walk(join(folder, entry.name)) : [join(folder, entry.name)],
    );
  const top = ["build.mjs", "index.html", "package.json", "package-lock.json", "tsconfig.json"].map((n) => join(here, n));
  const named = [...top, ...walk(join(here, "src"))].map((path) => [relative(here, path).split(sep).join("/"), path]);
  return named.sort(([a], [b]) => (a < b ? -1 : 1));
}

function digest() {
  const hash = createHash("sha256");
  for (const [name, path] of sources()) hash.update(name).update("\0").update(readFileSync(path)).update("\0");
  return hash.digest("hex");
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const common = {
  absWorkingDir: here,
  outdir: out,
  bundle: true,
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  minify: !process.env.UNMINIFIED,
  legalComments: "linked",
  metafile: true,
  entryNames: "[name]-[hash]",
  chunkNames: "part-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".woff2": "file", ".svg": "file" },
  define: { "process.env.NODE_ENV": '"production"' },
};
const entryPoints = { app: "src/main.tsx", style: "src/style/all.css" };
const pages = await build({ ...common, entryPoints, splitting: true, format: "esm" });
const first = await build({ ...common, entryPoints: { theme: "src/app/first.ts" }, format: "iife" });

const built = [pages, first].flatMap(({ metafile }) => Object.entries(metafile.outputs));
const entry = (source) => basename(built.find(([, file]) => file.entryPoint === source)[0]);
const page = readFileSync(join(here, "index.html"), "utf8")
  .replace("{{app}}", entry("src/main.tsx"))
  .replace("{{style}}", entry("src/style/all.css"))
  .replace("{{theme}}", entry("src/app/first.ts"));
writeFileSync(join(out, "index.html"), page);
copyFileSync(join(here, "src", "style", "favicon.svg"), join(out, "favicon.svg"));

const scripts = built.map(([path]) => path).filter((path) => path.endsWith(".js"));
const zipped = scripts.map((path) => gzipSync(readFileSync(join(here, path))).length).reduce((a, b) => a + b, 0);
writeFileSync(join(out, "build.json"), `${JSON.stringify({ sources: digest(), javascript_gzip_bytes: zipped }, null, 2)}\n`);
console.log(`${scripts.length} scripts, ${(zipped / 1024).toFixed(1)} KB gzipped of ${BUDGET_BYTES / 1024}`);
if (zipped > BUDGET_BYTES) throw new Error("the JavaScript is over its budget: import less, or load it later");
