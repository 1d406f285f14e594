using Failover.Hosting;

namespace Failover.ItemApi;

/// <summary>What the function is told by its environment.</summary>
/// <param name="Region">The region of the replica that it serves from.</param>
/// <param name="CallTimeout">The deadline of one call to DynamoDB.</param>
public sealed record ItemApiOptions(string Region, string ItemsTable, TimeSpan CallTimeout)
{
    /// <summary>Reads and validates all of it.</summary>
    /// <exception cref="InvalidOperationException">A setting is missing or wrong.</exception>
    public static ItemApiOptions Read(Settings settings)
    {
        var options = new ItemApiOptions(
            settings.Required("AWS_REGION", "the region that the function runs in; Lambda sets it"),
            settings.Required("ITEMS_TABLE", "the name of the items table"),
            TimeSpan.FromMilliseconds(settings.Number("CALL_TIMEOUT_MS", 1500, 50, 3000)));
        settings.ThrowIfMistaken();
        return options;
    }
}
