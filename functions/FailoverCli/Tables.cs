using System.CommandLine;
using Amazon.DynamoDBv2;
using Failover.Hosting;
using Failover.ItemRecord;

namespace Failover.Cli;

/// <summary>What all commands about the tables share: which tables, in which regions, and what is said when one cannot be reached.</summary>
internal sealed class Tables
{
    /// <summary>Of one call: what a person waits for.</summary>
    public static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    public Option<string> Items { get; } = new("--items-table") { Description = "The items table.", DefaultValueFactory = _ => "Items" };

    public Option<string> Journal { get; } = new("--journal-table") { Description = "The journal table.", DefaultValueFactory = _ => "Journal" };

    public Option<string[]> Regions { get; } = new("--regions")
    {
        Description = "The regions with a replica, the first of them the one with which the others are compared: us-east-1,us-west-2.",
        Required = true,
        CustomParser = result => [.. result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))],
    };

    /// <summary>Runs a command, and says what is wrong where a region cannot be reached.</summary>
    public static async Task<int> RunAsync(Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (ArgumentException error)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return 2;
        }
        catch (Exception error) when (error is Amazon.Runtime.AmazonClientException or Amazon.Runtime.AmazonServiceException or OperationCanceledException or HttpRequestException or IOException)
        {
            await Console.Error.WriteLineAsync($"A table cannot be reached: {error.Message}");
            return 3;
        }
    }

    /// <summary>A client of a region's tables.</summary>
    public static IAmazonDynamoDB Client(string region) => new WatchedDynamoDbClient(DynamoDbClients.ConfigOf(region, CallTimeout));

    /// <summary>Writes lines to a file, or to the terminal.</summary>
    public static TextWriter Writer(FileInfo? file) => file is null ? Console.Out : new StreamWriter(file.Open(FileMode.Create, FileAccess.Write));
}
