// The rules for the page's script, which runs in people's browsers, and for the scripts that check it.
import js from "@eslint/js";

const named = (names) => Object.fromEntries(names.split(" ").map((name) => [name, "readonly"]));
const browser = named("document window navigator getComputedStyle getSelection matchMedia innerHeight innerWidth scrollTo addEventListener setTimeout requestAnimationFrame MutationObserver HTMLAnchorElement Node Event MouseEvent TextDecoder URL Blob console performance");
const node = named("process console performance setTimeout URL Buffer");

export default [
  js.configs.recommended,
  {
    files: ["page.js"],
    languageOptions: { sourceType: "script", globals: browser },
    rules: {
      strict: ["error", "global"],
      eqeqeq: ["error", "always", { null: "ignore" }],
      "prefer-const": "error",
      "no-var": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-restricted-syntax": ["error", ...["innerHTML", "outerHTML", "insertAdjacentHTML", "write", "writeln", "cookie", "localStorage"].map((name) => (
        { selector: `MemberExpression[property.name=${name}]`, message: "text is set as text, and nothing is kept" }))],
    },
  },
  {
    files: ["**/*.js"],
    ignores: ["page.js"],
    languageOptions: { globals: { ...browser, ...node } },
    rules: { "prefer-const": "error", "no-var": "error", eqeqeq: "error" },
  },
];
