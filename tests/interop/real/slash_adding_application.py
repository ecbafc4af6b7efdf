"""A page whose address ends in a slash: Flask redirects `/items` to `/items/`, as Django does."""

import flask

app = flask.Flask(__name__)


@app.route("/items/", methods=["GET", "POST"])
def items():
    """Returns the path and query that reached it."""
    return flask.jsonify(path=flask.request.path, query=flask.request.args)
