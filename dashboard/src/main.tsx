import { render } from "preact";
import { followLinks } from "./app/router";
import { routeOf } from "./app/routes";
import { Shell } from "./app/shell";

const root = document.getElementById("app");
if (root === null) throw new Error("the page has no element to show the dashboard in");
followLinks((path) => routeOf(path) !== undefined);
root.replaceChildren();
render(<Shell />, root);
