"""The same job by other means, each as its documentation would have it written."""
