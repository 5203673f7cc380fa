"""Content as files: new elements and repositories, Splunk apps, differences, a store; actions
call it."""
