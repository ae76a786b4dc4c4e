namespace TrainingData.Domains;

/// <summary>Small functions of an indented scripting language.</summary>
internal static class Code
{
    private static readonly Grammar s_grammar = new Grammar()
        .With("verb", "get|set|find|count|update|remove|merge|parse|compute|check|load|filter|sort|print")
        .With("noun", "items|users|values|nodes|lines|scores|orders|tokens|points|names|files|edges")
        .With("variable", "result|total|count|best|index|buffer|current|left|right|temp|offset|limit")
        .With("field", "size|name|value|next|parent|length|key|score|status")
        .With("compare", "<|>|==|!=|<=|>=")
        .With("op", "+|-|*|//|%")
        .With("test", "{v} {compare} {0-20}|item.{field} {compare} {v}|not item.{field}|{v} is None|len({arg}) {compare} {0-9}")
        .With("update", "{v} = {v} {op} {1-12}|{v} += item.{field}|{v}.append(item)|{v} = max({v}, item.{field})|{v} -= 1|{v}[item.{field}] = {1-99}")
        .With("init", "0|1|[]|None|len({arg})|{arg}[0]|dict()|{arg}.{field}")
        .With("body",
            "    {v} = {init}\n    for item in {arg}:\n        {update}\n    return {v}",
            "    {v} = {init}\n    for item in {arg}:\n        if {test}:\n            {update}\n    return {v}",
            "    {v} = {init}\n    while {v} {compare} {1-50}:\n        {update}\n    return {v} {op} {1-9}",
            "    if {test}:\n        return {init}\n    return {verb}_{noun}({arg}, {1-9})",
            "    {v} = [item.{field} for item in {arg} if item.{field} {compare} {0-20}]\n    return {v}",
            "    try:\n        {v} = {verb}_{noun}({arg})\n    except ValueError:\n        return {init}\n    return {v}",
            "    assert len({arg}) {compare} {0-9}\n    {v} = {init}\n    for i in range({1-20}):\n        {v} = {v} {op} {arg}[i]\n    return {v}")
        .With("signature", "def {verb}_{noun:arg}({arg}):|def {verb}_{noun:arg}({arg}, {variable}={0-9}):|def {verb}_{field}(self, {noun:arg}):");

    public static string Write(Random random) =>
        string.Join("\n\n", Enumerable.Range(0, random.Next(1, 4)).Select(_ => Function(random)));

    private static string Function(Random random)
    {
        var memory = new Dictionary<string, string>();
        string signature = s_grammar.Expand("{signature}", random, memory);
        memory["v"] = s_grammar.Expand("{variable}", random);
        return signature + "\n" + s_grammar.Expand("{body}", random, memory);
    }
}
