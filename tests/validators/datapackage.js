// Reads every CSV table of a package with the npm library `datapackage`, keys and relations checked.
const { Package } = require('datapackage')

async function main(path) {
  const described = await Package.load(path)
  const found = { valid: described.valid, errors: described.errors.map(String), tables: {} }
  for (const resource of described.resources) {
    if (!resource.tabular) continue
    await resource.checkRelations()
    found.tables[resource.name] = await resource.read({ keyed: true })
  }
  process.stdout.write(JSON.stringify(found))
}

main(process.argv[2]).catch((error) => {
  process.stderr.write(`${error} ${(error.errors || []).map(String).join('; ')}\n`)
  process.exit(1)
})
