/* worker-asyncify.js - the same for a browser without JSPI: Binaryen is 15 MB, which the others need not load. */
import binaryen from 'binaryen'
import { passOf } from './pass.js'
import { serve } from './worker.js'

serve(passOf(binaryen))
