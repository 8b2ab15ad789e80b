/* faults.h - what can be wrong with the scrapers in this folder. `-DFAULT=polling` builds that one in;
 * without it they are correct.
 *
 * Each entry: its name, the file it is built into, and one sentence for an author who is told what his tests have not
 * exposed. The grader (scrapers.py) reads this table. Those of the first group get every page right, but the time,
 * the order or the number of things under way wrong.
 */
#ifndef FAULTS_H
#define FAULTS_H

#define FAULTS(F) \
    F(one_by_one, workers, "fetches one page after the other, whatever the limit") \
    F(batches, as_completed, \
      "begins as many pages as the limit allows, and waits for all of them before it begins the next ones") \
    F(limit_one_less, chain, "has one page less under way than the limit allows") \
    F(timeout_per_read, chain, "measures the timeout from the last byte that came, not from the page's begin") \
    F(timeout_for_all, workers, "has one timeout for the whole run, from its start, instead of one for each page") \
    F(timer_runs_on, own_timer, "lets the timer of a page that is done run on to its end, and waits for it") \
    F(request_left_running, own_timer, \
      "reports a page that is late, and leaves its request running until the end of the run") \
    F(progress_in_input_order, group, "tells of a page only when all pages before it have been told") \
    F(news_one_page_late, as_completed, "tells of a page when the next one is done") \
    F(total_time_is_a_sum, workers, "adds up the times of the pages for the total time, though they overlap") \
    F(took_from_the_start, chain, "counts the time that a page waited for its turn into its `took`") \
    F(cancel_waits_for_pages, as_completed, "when cancelled, first waits for the pages under way") \
    F(polling, as_completed, "looks every 7 ms whether a page is done, instead of waiting for it") \
    \
    F(limit_one_more, workers, "has one page more under way than the limit allows") \
    F(results_as_they_come, workers, "stores the results in the order in which the pages are done") \
    F(server_errors_pass, group, "takes 500 and above for a success") \
    F(status_400_passes, as_completed, "takes 400 itself for a success: it compares with > where >= is right") \
    F(redirects_not_followed, chain, "does not follow redirects") \
    F(title_of_failed_page, own_timer, "gives a title to pages that have failed") \
    F(title_of_the_page_before, workers, "leaves the title of another page in a page without one") \
    F(one_failure_stops_all, group, "gives up all pages when one has a network error") \
    F(errors_all_alike, chain, "calls every network error a timeout") \
    F(timeouts_not_logged, group, "logs no page that was late") \
    F(place_lost_on_failure, group, "does not give the place of a failed page to the next one") \
    F(cancel_swallowed, workers, "returns 0 when it was cancelled") \
    F(same_url_once, chain, "fetches a URL that is given twice only once") \
    F(second_try, own_timer, "tries a page again that had a network error")

#define FAULT_NAME(name, file, sentence) name,
enum fault { no_fault, FAULTS(FAULT_NAME) };
#ifndef FAULT
#define FAULT no_fault
#endif
#define IS(name) (FAULT == (name))

#endif
