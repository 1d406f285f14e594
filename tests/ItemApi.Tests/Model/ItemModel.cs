using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Failover.ItemApi.Tests.Model;

/// <summary>What an item is, as a client may know it.</summary>
/// <param name="Content">Null: there is none.</param>
/// <param name="Tag">Its ETag; null where no answer has told it.</param>
/// <param name="Creates">The idempotency keys of all creates that were done, though the item be deleted since and made anew, and the tag that each gave; null where no answer has told it.</param>
internal sealed record ItemState(JsonObject? Content, string? Tag, ImmutableSortedDictionary<string, string?> Creates)
{
    public static ItemState Absent { get; } = new(null, null, ImmutableSortedDictionary<string, string?>.Empty);
}

/// <summary>Something that a client does.</summary>
/// <param name="IfMatch">The tag that it asks for; null: none.</param>
/// <param name="IfAbsent">It asks that there be none.</param>
/// <param name="Key">Of a create.</param>
internal sealed record Operation(string Method, JsonObject? Body, string? IfMatch, bool IfAbsent, string? Key);

/// <summary>The simplest item API: one thing after the other, and nothing is ever lost.</summary>
internal static class ItemModel
{
    /// <summary>What an operation answers, and what the item is then. Its tag is the one that was answered.</summary>
    public static (int Status, ItemState Then) Apply(ItemState state, Operation operation, string? tag)
    {
        var exists = state.Content is not null;
        if ((operation.IfMatch is { } wanted && (!exists || state.Tag != wanted)) || (operation.IfAbsent && exists))
        {
            return (412, state);
        }

        switch (operation.Method)
        {
            case "PUT":
                return (exists ? 200 : 201, new ItemState(operation.Body, tag, state.Creates));
            case "PATCH":
                return exists ? (200, new ItemState(Merge(state.Content!, operation.Body!), tag, state.Creates)) : (404, state);
            case "DELETE":
                return exists ? (204, new ItemState(null, tag, state.Creates)) : (404, state);
            default:
                return operation.Key is { } key && state.Creates.TryGetValue(key, out var first)
                    // Answered as the first was, where that was told.
                    ? (first is null || tag is null || first == tag ? 201 : 0, state with { Creates = state.Creates.SetItem(key, first ?? tag) })
                    : exists ? (409, state)
                    : (201, new ItemState(operation.Body, tag, operation.Key is { } made ? state.Creates.Add(made, tag) : state.Creates));
        }
    }

    /// <summary>
    /// All states that the item may be in after operations that ran at once: some order must explain every answer. One whose outcome nobody knows may have happened, or not.
    /// Empty: no order explains them.
    /// </summary>
    public static List<ItemState> Explain(IEnumerable<ItemState> before, IReadOnlyList<(Operation Operation, Answered Answer)> ran)
    {
        var after = new List<ItemState>();
        foreach (var state in before)
        {
            Explain(state, [.. ran], after);
        }

        return after;
    }

    private static void Explain(ItemState state, List<(Operation Operation, Answered Answer)> left, List<ItemState> after)
    {
        if (left.Count == 0)
        {
            after.Add(state);
            return;
        }

        for (var i = 0; i < left.Count; i++)
        {
            var (operation, answer) = left[i];
            var rest = left.Where((_, index) => index != i).ToList();
            var status = (int)answer.Status;
            if (status == 503)
            {
                // Contended, nothing was written; else nobody knows.
                Explain(state, rest, after);
                if (answer.Problem is "outcome-unknown" or "unavailable")
                {
                    Explain(Apply(state, operation, null).Then, rest, after);
                }

                continue;
            }

            if (operation.Key is { } key && state.Creates.TryGetValue(key, out var told) && told is null)
            {
                // Nobody was told that it was done: it is remembered by the item alone, and not for ever.
                Explain(state with { Creates = state.Creates.Remove(key) }, [left[i], .. rest], after);
            }

            var (expected, then) = Apply(state, operation, answer.ETag);
            if (expected == status && (status is not (200 or 201) || operation.Method == "POST" || JsonNode.DeepEquals(JsonNode.Parse(answer.Body), then.Content)))
            {
                Explain(then, rest, after);
            }
        }
    }

    private static JsonObject Merge(JsonObject target, JsonObject patch)
    {
        var merged = (JsonObject)target.DeepClone();
        foreach (var (name, value) in patch)
        {
            if (value is null)
            {
                merged.Remove(name);
            }
            else
            {
                merged[name] = value.DeepClone();
            }
        }

        return merged;
    }
}
