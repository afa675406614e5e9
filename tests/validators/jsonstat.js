// Reads every cell of JSON-stat files with the npm library `jsonstat-toolkit`: key, value and status.
const fs = require('fs')
const JSONstat = require('jsonstat-toolkit')

const cells = []
for (const path of process.argv.slice(2)) {
  const cube = JSONstat(JSON.parse(fs.readFileSync(path, 'utf8')))
  if (cube.class !== 'dataset' || cube.length === 0) throw new Error(`${path} is not a data set`)
  const codes = cube.id.map((name) => cube.Dimension(name).id)
  let index = 0
  const visit = (key, depth) => {
    if (depth < codes.length) return codes[depth].forEach((code) => visit([...key, code], depth + 1))
    const cell = cube.Data(index++)
    if (cell.value !== null || cell.status !== null) cells.push([...key, cell.value, cell.status])
  }
  visit([], 0)
}
process.stdout.write(JSON.stringify(cells))
