/// Images, devices, histories and damage for tests; the same every time.
@NullMarked
package varve.testdata;

import org.jspecify.annotations.NullMarked;
