/**
 * The way in, as the npm scripts call it: `node harness/bootstrap.mjs simulate|test|bench …`.
 *
 * This file is written so that a Node of long ago still reads it and can be told what is wrong;
 * everything else is in bootstrap/, which wants Node 20 and no dependencies.
 */
var oldestMajor = 20
var major = Number(process.versions.node.split('.')[0])

if (major < oldestMajor) {
  process.stderr.write(
    'Node ' + process.versions.node + ' (' + process.execPath + ') is too old: install Node ' +
      oldestMajor + ' or later from https://nodejs.org and run the same command again.\n'
  )
  process.exit(64)
} else {
  import('./bootstrap/main.mjs')
}
