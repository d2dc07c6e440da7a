/// What receipts say to an auditor: which copies of each point in time were proved and when, what was found wrong and what became of it, and
/// whether the receipts themselves are as they were written.
@NullMarked
package varve.verify.audit;

import org.jspecify.annotations.NullMarked;
