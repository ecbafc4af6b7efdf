import json
def into_folder(results, out):
    out.mkdir(parents=True, exist_ok=True)
    (out/"results.json").write_text(json.dumps(results, indent=1)+"\n")
    print(out)
into_repository=into_folder
